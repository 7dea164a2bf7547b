package io.shardpress.spark.text;

import io.shardpress.schemas.text.TextLines;
import java.io.IOException;

/** A plain text: one document. */
final class WholeText implements TextFile {
  private final TextLines lines;
  private boolean done;

  WholeText(TextLines lines) {
    this.lines = lines;
  }

  @Override
  public String read() throws IOException {
    if (done) {
      return null;
    }
    done = true;
    return lines.whole();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
