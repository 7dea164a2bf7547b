package io.shardpress.spark.output.gguf;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Rows of a projection to heads, a head at a time in the order of architectures that turn
 * neighbours: row 2j + i of a head is row i·D/2 + j of what comes in. Rows stay as they are, so
 * that blocks of integers pass as well.
 */
final class HeadRows extends FilterOutputStream {
  private final byte[] head;
  private final int rowBytes;
  private int filled;

  /**
   * @param headDim rows of a head, D, an even number
   */
  HeadRows(OutputStream out, int headDim, int rowBytes) {
    super(out);
    this.head = new byte[Math.multiplyExact(headDim, rowBytes)];
    this.rowBytes = rowBytes;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] data, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int count = Math.min(length - done, head.length - filled);
      System.arraycopy(data, offset + done, head, filled, count);
      filled += count;
      done += count;
      if (filled == head.length) {
        writeHead();
        filled = 0;
      }
    }
  }

  private void writeHead() throws IOException {
    int half = head.length / rowBytes / 2;
    for (int j = 0; j < half; j++) {
      out.write(head, j * rowBytes, rowBytes);
      out.write(head, (half + j) * rowBytes, rowBytes);
    }
  }

  /** Says that all has come. */
  void end() throws IOException {
    if (filled != 0) {
      throw new IOException(filled + " bytes are no whole head of " + head.length);
    }
  }
}
