"""Many invented registrations, written fast, each with all that a real one leaves behind: for load tests and drills."""
