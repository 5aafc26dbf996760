"""What upper rooms can listen for: a plan has changed in a way that concerns more than the plan."""

from django.dispatch import Signal

# Sent in the transaction that changed what a plan asks of its photos: `plan`. Receivers answer with a sentence, or "".
photo_requirements_changed = Signal()
# Sent in the transaction that moved a plan's deadline, that for corrections, or both, later or earlier: `plan`, and the
# aware moments that they were, `before` and `corrections_before`. The plan's row is held meanwhile: whoever has much to do about it asks
# for a task. Receivers answer with a sentence, or "".
deadlines_moved = Signal()
# Sent in the transaction that published a plan's decisions: `plan`.
decisions_published = Signal()
# Sent in the transaction that made a plan out of another one: `plan`, and `original`.
plan_copied = Signal()
