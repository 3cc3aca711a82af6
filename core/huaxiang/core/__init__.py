"""What every stage shares: types, errors, settings, database, blob store, jobs and the model lock."""
