"""A deployment with the maintenance that was announced beside its files."""

from contextlib import closing

from config.deployment import Deployment
from pipeline.maintenance import Announced, periods
from pipeline.state import State


def with_announced(deployment: Deployment) -> Deployment:
    """The same, with what its state knows of; raises StoreError where that cannot be read."""
    if not deployment.state_path.exists():
        return deployment
    with closing(State(deployment.state_path)) as state:
        announced = Announced(state).all()
    return deployment.with_maintenance(periods(announced, deployment))
