package io.shardpress.spark.store;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/**
 * A stream as the channel that Arrow writes to, in pieces larger than the JDK's own 8 KiB and small
 * enough for a core's second cache.
 */
final class StreamChannel implements WritableByteChannel {
  private static final int CHUNK_BYTES = 1 << 16;

  private final OutputStream out;
  private byte[] chunk = new byte[0];

  StreamChannel(OutputStream out) {
    this.out = out;
  }

  @Override
  public int write(ByteBuffer from) throws IOException {
    int total = from.remaining();
    if (from.hasArray()) {
      out.write(from.array(), from.arrayOffset() + from.position(), total);
      from.position(from.limit());
      return total;
    }
    if (chunk.length < Math.min(total, CHUNK_BYTES)) {
      chunk = new byte[Math.min(total, CHUNK_BYTES)];
    }
    while (from.hasRemaining()) {
      int count = Math.min(from.remaining(), chunk.length);
      from.get(chunk, 0, count);
      out.write(chunk, 0, count);
    }
    return total;
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
