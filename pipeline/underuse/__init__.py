"""Which spots are underused, judged against their peers, with the reasons."""
