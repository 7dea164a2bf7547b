package io.shardpress.kernels.convert;

import io.shardpress.kernels.matmul.VectorWidth;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link HalfFloats} on vectors, to the bit. Each method takes the whole vectors of a run and
 * returns how many elements they had; the caller goes on from there one by one. What {@code
 * loops.Vectors} says about the JVM's limits applies.
 */
final class VectorHalves {
  private static final int BITS = VectorWidth.chosen();
  private static final VectorSpecies<Float> F =
      VectorSpecies.of(float.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Integer> I =
      VectorSpecies.of(int.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Short> HALVES =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS / 2));
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(BITS / 2));
  private static final int LANES = F.length();

  /** 0.5 in f32 bits, where a step of the mantissa is that of subnormal binary16, 2⁻²⁴. */
  private static final int HALF = 0x3f000000;

  private VectorHalves() {}

  static int decodeBf16(byte[] bytes, int offset, float[] values, int at, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      ShortVector halves = ByteVector.fromArray(BYTES, bytes, offset + 2 * i).reinterpretAsShorts();
      ((IntVector) halves.convertShape(VectorOperators.S2I, I, 0))
          .lanewise(VectorOperators.LSHL, 16)
          .reinterpretAsFloats()
          .intoArray(values, at + i);
    }
    return i;
  }

  static int decodeF16(byte[] bytes, int offset, float[] values, int at, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      ShortVector halves = ByteVector.fromArray(BYTES, bytes, offset + 2 * i).reinterpretAsShorts();
      IntVector bits = (IntVector) halves.convertShape(VectorOperators.S2I, I, 0);
      IntVector magnitude = bits.and(0x7fff);
      IntVector normal = magnitude.lanewise(VectorOperators.LSHL, 13).add(HalfFloats.REBIAS);
      // No product of subnormals: the processor takes a hundred cycles for those of f32.
      IntVector subnormal = magnitude.or(HALF).reinterpretAsFloats().sub(0.5f).reinterpretAsInts();
      normal
          .blend(subnormal, magnitude.compare(VectorOperators.LT, HalfFloats.F16_NORMAL))
          .blend(
              normal.add(HalfFloats.REBIAS),
              magnitude.compare(VectorOperators.GE, HalfFloats.F16_INFINITY))
          .or(bits.and(0x8000).lanewise(VectorOperators.LSHL, 16))
          .reinterpretAsFloats()
          .intoArray(values, at + i);
    }
    return i;
  }

  static int encodeF16(float[] values, int at, byte[] bytes, int offset, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      IntVector bits = FloatVector.fromArray(F, values, at + i).reinterpretAsInts();
      IntVector magnitude = bits.and(0x7fffffff);
      IntVector truncated = magnitude.lanewise(VectorOperators.LSHR, 13);
      IntVector normal =
          magnitude
              .add(0xfff)
              .add(truncated.and(1))
              .sub(HalfFloats.REBIAS)
              .lanewise(VectorOperators.LSHR, 13);
      IntVector subnormal = magnitude.reinterpretAsFloats().add(0.5f).reinterpretAsInts().sub(HALF);
      IntVector halves =
          normal
              .blend(
                  subnormal, magnitude.compare(VectorOperators.LT, HalfFloats.F16_SMALLEST_NORMAL))
              .blend(
                  HalfFloats.F16_INFINITY,
                  magnitude.compare(VectorOperators.GE, HalfFloats.F16_OVERFLOW))
              .blend(
                  truncated.and(0x3ff).or(0x7e00),
                  magnitude.compare(VectorOperators.GT, HalfFloats.F32_INFINITY))
              .or(bits.lanewise(VectorOperators.LSHR, 16).and(0x8000));
      ((ShortVector) halves.convertShape(VectorOperators.I2S, HALVES, 0))
          .reinterpretAsBytes()
          .intoArray(bytes, offset + 2 * i);
    }
    return i;
  }

  static int encodeBf16(float[] values, int at, byte[] bytes, int offset, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      IntVector bits = FloatVector.fromArray(F, values, at + i).reinterpretAsInts();
      IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
      VectorMask<Integer> nan =
          bits.and(0x7fffffff).compare(VectorOperators.GT, HalfFloats.F32_INFINITY);
      IntVector rounded = bits.add(0x7fff).add(upper.and(1)).lanewise(VectorOperators.LSHR, 16);
      ShortVector halves =
          (ShortVector)
              rounded.blend(upper.or(0x40), nan).convertShape(VectorOperators.I2S, HALVES, 0);
      halves.reinterpretAsBytes().intoArray(bytes, offset + 2 * i);
    }
    return i;
  }
}
