"""Reviews put together: the stores of ``huaxiang.quality.review`` over the recordings of all stages."""
