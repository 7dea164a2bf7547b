package io.shardpress.kernels.nn;

import java.io.Serializable;

/** How queries and keys are rotated by their positions. */
public sealed interface RotaryEmbedding extends Serializable permits Rotation, GrowingRotation {
  /** [rotated elements / 2] radians per position in windows of so many tokens; not a copy. */
  double[] frequencies(int window);

  /** By what the rotated elements are multiplied. */
  double magnitude();
}
