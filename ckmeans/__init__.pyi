from .configuration import show_config as show_config
from .diagnostics.choice import ChoiceOfK as ChoiceOfK
from .diagnostics.choosing import choose_k as choose_k
from .diagnostics.landscapes import Landscape as Landscape
from .diagnostics.landscapes import landscape as landscape
from .diagnostics.stability import ClusterStability as ClusterStability
from .diagnostics.stability import cluster_stability as cluster_stability
from .estimators.bisecting import BisectingKMeans as BisectingKMeans
from .estimators.exact import ExactKMeans as ExactKMeans
from .estimators.functions import k_means as k_means
from .estimators.functions import kmeans_plusplus as kmeans_plusplus
from .estimators.kmeans import KMeans as KMeans
from .estimators.mixture import SphericalMixture as SphericalMixture
from .estimators.model_files import load_model as load_model
from .estimators.model_files import save_model as save_model
from .exact.exhaustive import ExhaustiveSolution as ExhaustiveSolution
from .exact.exhaustive import PartitionPosterior as PartitionPosterior
from .exact.exhaustive import count_partitions as count_partitions
from .exact.exhaustive import estimated_seconds as estimated_seconds
from .exact.exhaustive import exhaustive_search as exhaustive_search
from .exact.exhaustive import partition_posterior as partition_posterior
from .exact.univariate import natural_breaks as natural_breaks
from .local.many import fit_many as fit_many
from .plots.choice import BreaksDisplay as BreaksDisplay
from .plots.choice import ChoiceDisplay as ChoiceDisplay
from .plots.choice import SilhouetteDisplay as SilhouetteDisplay
from .plots.gap import GapDisplay as GapDisplay
from .plots.gap import GapRecorder as GapRecorder
from .plots.landscape import LandscapeDisplay as LandscapeDisplay
from .plots.landscape import RestartDisplay as RestartDisplay
from .plots.plane import ClusterDisplay as ClusterDisplay
from .plots.plane import ResponsibilityDisplay as ResponsibilityDisplay
from .proofs.certificate import Certificate as Certificate
from .proofs.certification import certify as certify
from .solution import Solution as Solution

__all__: list[str]
__version__: str
