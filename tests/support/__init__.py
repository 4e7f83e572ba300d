"""What tests share: a sealed environment, a real repository, the real command."""

from tests.support.repository import Repo, Result
from tests.support.seal import seal_environment

__all__ = ["Repo", "Result", "seal_environment"]
