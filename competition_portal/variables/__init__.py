"""Every environment variable that the portal reads: how, and what operators are told of it. One subject a module."""

from competition_portal.variables import (
    data,
    observing,
    personal_data,
    photos,
    platform,
    private_files,
    serving,
    sessions,
    telling,
)
from competition_portal.variables.variable import Variable

# In the order in which operators read them (docs/operations/configuration.md).
VARIABLES: dict[str, Variable] = {
    **serving.VARIABLES,
    **data.VARIABLES,
    **observing.VARIABLES,
    **personal_data.VARIABLES,
    **photos.VARIABLES,
    **private_files.VARIABLES,
    **platform.VARIABLES,
    **telling.VARIABLES,
    **sessions.VARIABLES,
}
