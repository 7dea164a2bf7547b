package io.shardpress.kernels.loops;

import io.shardpress.kernels.matmul.VectorWidth;
import jdk.incubator.vector.FloatVector;
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
 * vectors but {@code rounded} and {@link #sumOfLanes}, and the largest loop, {@link VectorExp}, is
 * above the size that is inlined into callers (FreqInlineSize, 325 bytecodes). {@code
 * -XX:+PrintInlining} tells where it went wrong: "store failed to inline".
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
   * The sum of a vector's lanes: four sums, and they in turn. Lanes are named one by one, as only
   * constant ones are taken out of a register.
   */
  static float sumOfLanes(FloatVector v) {
    float first = v.lane(0);
    float second = v.lane(1);
    float third = v.lane(2);
    float fourth = v.lane(3);
    if (LANES > 4) {
      first += v.lane(4);
      second += v.lane(5);
      third += v.lane(6);
      fourth += v.lane(7);
    }
    if (LANES > 8) {
      first = first + v.lane(8) + v.lane(12);
      second = second + v.lane(9) + v.lane(13);
      third = third + v.lane(10) + v.lane(14);
      fourth = fourth + v.lane(11) + v.lane(15);
    }
    return (first + second) + (third + fourth);
  }
}
