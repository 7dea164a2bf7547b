package io.shardpress.spark.layout;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Random bf16 numbers of either sign, from 2⁻⁷ to 2⁻⁵ in size; ones in norms. A tensor's numbers
 * follow from its name.
 */
@SuppressWarnings("OperatorPrecedence")
final class RandomWeights implements LayoutWriter.Filling {
  private static final int CHUNK_BYTES = 8 << 20;

  /** Of four bf16 numbers: sign, the lowest bit of the exponent, the mantissa. */
  private static final long FREE_BITS = 0x80FF_80FF_80FF_80FFL;

  private static final long EXPONENTS = 0x3C00_3C00_3C00_3C00L;
  private static final long ONES = 0x3F80_3F80_3F80_3F80L;

  @Override
  public void fill(RandomAccessFile file, List<TensorSpecs.Spec> tensors) throws IOException {
    byte[] chunk = new byte[CHUNK_BYTES];
    LongBuffer words = ByteBuffer.wrap(chunk).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
    for (TensorSpecs.Spec tensor : tensors) {
      boolean norm = tensor.shape().size() == 1;
      long state =
          new SplittableRandom(Arrays.hashCode(tensor.name().toCharArray())).nextLong() | 1;
      for (long at = 0; at < tensor.bytes(); at += CHUNK_BYTES) {
        int count = (int) Math.min(CHUNK_BYTES, tensor.bytes() - at);
        for (int i = 0; i < (count + 7) / 8; i++) {
          // xorshift64: some gigabytes are made faster than a disk takes them.
          state ^= state << 13;
          state ^= state >>> 7;
          state ^= state << 17;
          words.put(i, norm ? ONES : state & FREE_BITS | EXPONENTS);
        }
        file.write(chunk, 0, count);
      }
    }
  }
}
