"""Up but nobody can use it: a run of zero clients that a site's own rhythm does not explain. By SOFT."""
