"""scikit-learn's callbacks (SLEP 23), where the version that is installed has them: from 1.9 on."""

from ..workers import Expired

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    FRAMES = 1  # of `with_callbacks`, between a method and who calls it
except ImportError:
    FRAMES = 0

    class CallbackSupportMixin:
        """Without callbacks."""

    def with_callbacks(method):
        """The method as it is."""
        return method


class Told:
    """A `progress` that tells the callbacks of an estimator: the fit is a task, each restart a task of it, when it is over.

    Parameters
    ----------
    estimator : estimator
    n_init : int or None
        Most restarts, if known.
    progress : callable(n_restarts, inertia), or None
        Is called first.
    given : dict
        X, y and metadata, as the callbacks ask for them.
    """

    def __init__(self, estimator, n_init, progress, **given):
        self.estimator, self.progress, self.given, self.stopped = estimator, progress, given, False
        self.context = estimator._init_callback_context(max_subtasks=n_init)
        self.context.call_on_fit_task_begin(estimator=estimator, **given)

    def __getattr__(self, name):  # what else the progress of verbose=1 is told
        return getattr(self.progress, name)

    def __call__(self, n_restarts, inertia):
        if self.progress is not None:
            self.progress(n_restarts, inertia)
        task = self.context.subcontext(task_name="restart")
        task.call_on_fit_task_begin(estimator=self.estimator, **self.given)
        self.stopped |= task.call_on_fit_task_end(estimator=self.estimator, **self.given)
        if self.stopped:
            raise Expired

    def end(self):
        """The fit is over, and the attributes are set."""
        self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes={}, **self.given
        )


def are_asked_for(estimator):
    """Whether the estimator, or what it is a part of, has callbacks."""
    known = vars(estimator)
    return bool(known.get("_skl_callbacks")) or "_parent_callback_ctx" in known
