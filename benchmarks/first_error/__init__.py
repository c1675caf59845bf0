"""Every way to find the first error, on simulated chains with known truth: F1 against rollouts."""
