"""Solution → evidence: what judges say, how rollouts end, what PRMs score."""
