package io.shardpress.kernels.pack;

import io.shardpress.kernels.matmul.VectorWidth;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link BitPacking} of 4-bit codes on vectors. Eight codes are a lane of 64 bits, in which
 * neighbours move together: nibbles to bytes, these to halves, these to a word. Each method takes
 * the whole vectors of a run and returns how many codes they had; the caller goes on from there.
 * What {@code loops.Vectors} says about the JVM's limits applies.
 */
final class VectorNibbles {
  private static final int BITS = VectorWidth.chosen();
  private static final VectorSpecies<Byte> CODES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Long> EIGHTS =
      VectorSpecies.of(long.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Integer> WORDS =
      VectorSpecies.of(int.class, VectorShape.forBitSize(BITS / 2));
  private static final int LANES = CODES.length();

  private static final long NIBBLES = 0x0f0f0f0f0f0f0f0fL;
  private static final long BYTES = 0x00ff00ff00ff00ffL;
  private static final long HALVES = 0x0000ffff0000ffffL;
  private static final long WORD = 0x00000000ffffffffL;

  private VectorNibbles() {}

  static int pack(byte[] codes, int from, int count, int[] words, int to) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      LongVector x = ByteVector.fromArray(CODES, codes, from + i).reinterpretAsLongs().and(NIBBLES);
      x = x.or(x.lanewise(VectorOperators.LSHR, 4)).and(BYTES);
      x = x.or(x.lanewise(VectorOperators.LSHR, 8)).and(HALVES);
      x = x.or(x.lanewise(VectorOperators.LSHR, 16));
      ((IntVector) x.convertShape(VectorOperators.L2I, WORDS, 0)).intoArray(words, to + i / 8);
    }
    return i;
  }

  static int unpack(int[] words, int from, int count, byte[] codes, int to) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      IntVector packed = IntVector.fromArray(WORDS, words, from + i / 8);
      LongVector x = ((LongVector) packed.convertShape(VectorOperators.I2L, EIGHTS, 0)).and(WORD);
      x = x.or(x.lanewise(VectorOperators.LSHL, 16)).and(HALVES);
      x = x.or(x.lanewise(VectorOperators.LSHL, 8)).and(BYTES);
      x = x.or(x.lanewise(VectorOperators.LSHL, 4)).and(NIBBLES);
      x.reinterpretAsBytes().intoArray(codes, to + i);
    }
    return i;
  }
}
