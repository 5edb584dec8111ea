"""The way to a proof: which method next, the certificate, its file, and the checkpoint."""
