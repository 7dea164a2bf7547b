package io.shardpress.schemas.recipe;

/**
 * What a scheme's name stands for.
 *
 * @param activations null: inputs stay as they are
 * @param kvCache null: keys and values stay as they are
 */
record Scheme(WeightScheme weights, ActivationScheme activations, KvCacheScheme kvCache) {
  Scheme(WeightScheme weights) {
    this(weights, null, null);
  }

  /** The same with another group size; 0 is per channel. FP8 and FP4 have their own. */
  Scheme withGroupSize(int size) {
    if (weights.floating()) {
      return this;
    }
    WeightScheme other = new WeightScheme(weights.bits(), weights.symmetric(), size);
    return new Scheme(other, activations, kvCache);
  }
}
