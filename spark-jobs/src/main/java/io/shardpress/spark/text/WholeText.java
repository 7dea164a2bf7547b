package io.shardpress.spark.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.CharacterCodingException;

/** A plain text: one document. */
final class WholeText implements TextFile {
  private final String source;
  private final BufferedReader reader;
  private boolean done;

  WholeText(String source, BufferedReader reader) {
    this.source = source;
    this.reader = reader;
  }

  @Override
  public String read() throws IOException {
    if (done) {
      return null;
    }
    done = true;
    StringWriter text = new StringWriter();
    try {
      reader.transferTo(text);
    } catch (CharacterCodingException e) {
      throw TextFile.notUtf8(source, e);
    }
    return text.toString();
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
