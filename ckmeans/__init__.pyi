from .certificate import Certificate as Certificate
from .choice import ChoiceOfK as ChoiceOfK
from .choosing import choose_k as choose_k
from .configuration import show_config as show_config
from .estimators import KMeans as KMeans
from .exact_estimator import ExactKMeans as ExactKMeans
from .exhaustive import ExhaustiveSolution as ExhaustiveSolution
from .exhaustive import PartitionPosterior as PartitionPosterior
from .exhaustive import count_partitions as count_partitions
from .exhaustive import estimated_seconds as estimated_seconds
from .exhaustive import exhaustive_search as exhaustive_search
from .exhaustive import partition_posterior as partition_posterior
from .ladder import certify as certify
from .landscapes import Landscape as Landscape
from .landscapes import landscape as landscape
from .many import fit_many as fit_many
from .mixture_estimator import SphericalMixture as SphericalMixture
from .solution import Solution as Solution
from .univariate import natural_breaks as natural_breaks

__all__: list[str]
__version__: str
