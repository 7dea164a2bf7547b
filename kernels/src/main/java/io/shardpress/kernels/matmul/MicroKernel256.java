package io.shardpress.kernels.matmul;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * A tile of 6 rows and two 256-bit vectors of columns: 12 accumulators, two vectors of B and one
 * broadcast of A fill 15 of the 16 registers of AVX2.
 *
 * <p>Each accumulator has a name, and nothing is moved to a method of its own: in an array, or
 * where a call is not inlined, vectors become objects, at a thirtieth of the speed. For the same
 * reason {@link MicroKernel128} is a class of its own, though it differs in its constants alone:
 * the JVM compiles vectors only where their species is a constant.
 */
final class MicroKernel256 implements MicroKernel {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_256;
  private static final int LANES = 8;
  private static final int ROWS = 6;
  private static final int COLUMNS = 2 * LANES;

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int columns() {
    return COLUMNS;
  }

  @Override
  public void run(
      int depth,
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      float[] c,
      int cOffset,
      int stride) {
    FloatVector left0 = FloatVector.zero(SPECIES);
    FloatVector right0 = FloatVector.zero(SPECIES);
    FloatVector left1 = FloatVector.zero(SPECIES);
    FloatVector right1 = FloatVector.zero(SPECIES);
    FloatVector left2 = FloatVector.zero(SPECIES);
    FloatVector right2 = FloatVector.zero(SPECIES);
    FloatVector left3 = FloatVector.zero(SPECIES);
    FloatVector right3 = FloatVector.zero(SPECIES);
    FloatVector left4 = FloatVector.zero(SPECIES);
    FloatVector right4 = FloatVector.zero(SPECIES);
    FloatVector left5 = FloatVector.zero(SPECIES);
    FloatVector right5 = FloatVector.zero(SPECIES);
    for (int l = 0; l < depth; l++) {
      int inA = aOffset + l * ROWS;
      int inB = bOffset + l * COLUMNS;
      FloatVector bLeft = FloatVector.fromArray(SPECIES, b, inB);
      FloatVector bRight = FloatVector.fromArray(SPECIES, b, inB + LANES);
      FloatVector a0 = FloatVector.broadcast(SPECIES, a[inA]);
      left0 = a0.fma(bLeft, left0);
      right0 = a0.fma(bRight, right0);
      FloatVector a1 = FloatVector.broadcast(SPECIES, a[inA + 1]);
      left1 = a1.fma(bLeft, left1);
      right1 = a1.fma(bRight, right1);
      FloatVector a2 = FloatVector.broadcast(SPECIES, a[inA + 2]);
      left2 = a2.fma(bLeft, left2);
      right2 = a2.fma(bRight, right2);
      FloatVector a3 = FloatVector.broadcast(SPECIES, a[inA + 3]);
      left3 = a3.fma(bLeft, left3);
      right3 = a3.fma(bRight, right3);
      FloatVector a4 = FloatVector.broadcast(SPECIES, a[inA + 4]);
      left4 = a4.fma(bLeft, left4);
      right4 = a4.fma(bRight, right4);
      FloatVector a5 = FloatVector.broadcast(SPECIES, a[inA + 5]);
      left5 = a5.fma(bLeft, left5);
      right5 = a5.fma(bRight, right5);
    }
    int at = cOffset;
    left0.add(FloatVector.fromArray(SPECIES, c, at)).intoArray(c, at);
    right0.add(FloatVector.fromArray(SPECIES, c, at + LANES)).intoArray(c, at + LANES);
    at += stride;
    left1.add(FloatVector.fromArray(SPECIES, c, at)).intoArray(c, at);
    right1.add(FloatVector.fromArray(SPECIES, c, at + LANES)).intoArray(c, at + LANES);
    at += stride;
    left2.add(FloatVector.fromArray(SPECIES, c, at)).intoArray(c, at);
    right2.add(FloatVector.fromArray(SPECIES, c, at + LANES)).intoArray(c, at + LANES);
    at += stride;
    left3.add(FloatVector.fromArray(SPECIES, c, at)).intoArray(c, at);
    right3.add(FloatVector.fromArray(SPECIES, c, at + LANES)).intoArray(c, at + LANES);
    at += stride;
    left4.add(FloatVector.fromArray(SPECIES, c, at)).intoArray(c, at);
    right4.add(FloatVector.fromArray(SPECIES, c, at + LANES)).intoArray(c, at + LANES);
    at += stride;
    left5.add(FloatVector.fromArray(SPECIES, c, at)).intoArray(c, at);
    right5.add(FloatVector.fromArray(SPECIES, c, at + LANES)).intoArray(c, at + LANES);
  }
}
