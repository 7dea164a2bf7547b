package io.shardpress.kernels.loops;

import io.shardpress.kernels.reference.Arrays64;
import io.shardpress.kernels.reference.OnVectors;
import java.util.Random;
import org.junit.jupiter.api.Tag;

/**
 * What the tests of {@link Twins} share: places at which runs begin, and random numbers. Their tag
 * keeps them out of the run without vectors, which has no twins.
 */
@OnVectors
@Tag("twins")
abstract class TwinsTest {
  static final int[] PLACES = {0, 1, 5, 16};

  final Random random = new Random(7);

  final float[] gaussian(int length, double deviation) {
    return Arrays64.gaussian(random, length, deviation);
  }
}
