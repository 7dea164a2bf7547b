package io.shardpress.kernels.loops;

import io.shardpress.kernels.matmul.VectorWidth;
import java.util.Arrays;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vectors of this process, and what all loops on them share. Products and sums are not fused,
 * so that every element is the oracle's to the bit; what is left over of a run that is no multiple
 * of the lanes goes through the oracle. Sums end in the order of the lanes, never in a reduction,
 * whose order the JVM may choose.
 *
 * <p>Vectors are registers only where the JVM compiles a loop whole. It knows a vector's class from
 * guards, and goes without them from the hundredth trap on that it counts in a method and all that
 * is inlined into it (PerMethodTrapLimit): three or four traps of first calls, counted again for
 * every operation, are a hundred after 25 to 30 of them, the callers' own among them. What follows
 * is compiled as if types were not known, and vectors become objects, at a tenth of the speed. The
 * launcher and executors raise the limit; for JVMs where nobody does, no method takes or gives
 * vectors but the small {@code rounded}; a sum lies in an array of lanes from round to round, as a
 * variable that lives through the loop is the first to be affected; and the largest loop, {@link
 * VectorExp}, is above the size that is inlined into callers (FreqInlineSize, 325 bytecodes).
 * {@code -XX:+PrintInlining} tells where it went wrong: "store failed to inline".
 */
final class Vectors {
  // Static, since the JVM compiles vectors only where their species is a constant.
  static final VectorSpecies<Float> F =
      VectorSpecies.of(float.class, VectorShape.forBitSize(VectorWidth.chosen()));
  static final VectorSpecies<Integer> I =
      VectorSpecies.of(int.class, VectorShape.forBitSize(VectorWidth.chosen()));
  static final int LANES = F.length();

  private Vectors() {}

  /**
   * Room for two vectors of sums, each lane at its start. A new array each time: it dies young, and
   * setting it costs less than a thread-local's look-up on threads that have many, as Spark's do.
   */
  static float[] lanes(float start) {
    float[] lanes = new float[2 * LANES];
    if (start != 0) {
      Arrays.fill(lanes, start);
    }
    return lanes;
  }

  /** The sum of a vector's lanes, which lie at {@code at}: four sums, and they in turn. */
  static float sumOfLanes(float[] lanes, int at) {
    float first = 0;
    float second = 0;
    float third = 0;
    float fourth = 0;
    for (int i = at; i < at + LANES; i += 4) {
      first += lanes[i];
      second += lanes[i + 1];
      third += lanes[i + 2];
      fourth += lanes[i + 3];
    }
    return (first + second) + (third + fourth);
  }
}
