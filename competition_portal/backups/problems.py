"""Why a backup or a restore does not go on."""


class BackupProblem(Exception):
    """`str()` is the sentence for the operator: what is wrong, and what to do next."""
