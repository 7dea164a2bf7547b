package io.shardpress.spark.text;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.UsageException;
import io.shardpress.spark.io.StorageFault;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** File after file, each opened when the one before is read to its end. */
final class ChainedDocuments implements Documents {
  private final String source;
  private final Iterator<Path> files;
  private final String field;
  private final ChatRows chats;
  private final Configuration conf;
  private TextFile open;
  private String next;
  private boolean nextTemplated;
  private boolean templated;
  private long skipped;

  ChainedDocuments(
      String source, List<Path> files, String field, ChatRows chats, Configuration conf) {
    this.chats = chats;
    files.forEach(ChainedDocuments::known);
    this.source = source;
    this.files = files.iterator();
    this.field = field;
    this.conf = conf;
  }

  private static void known(Path file) {
    if (TextFile.Kind.of(file.getName()).isEmpty()) {
      throw new UsageException(
          "text " + file + " is none of .jsonl, .parquet and .txt (.jsonl and .txt also as .gz)");
    }
  }

  @Override
  public String source() {
    return source;
  }

  @Override
  public long skipped() {
    return skipped;
  }

  @Override
  public boolean hasNext() {
    try {
      while (next == null) {
        if (open == null) {
          if (!files.hasNext()) {
            return false;
          }
          open = TextFile.open(files.next(), field, chats, conf);
        }
        String document = open.read();
        if (document == null) {
          open.close();
          open = null;
        } else if (document.isBlank()) {
          skipped++;
        } else {
          next = document;
          nextTemplated = open.templated();
        }
      }
      return true;
    } catch (IOException e) {
      throw new CheckpointException(
          "text " + source + ": not readable: " + StorageFault.reason(e), e);
    }
  }

  @Override
  public String next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    String document = next;
    templated = nextTemplated;
    next = null;
    return document;
  }

  @Override
  public boolean templated() {
    return templated;
  }

  @Override
  public void close() throws IOException {
    if (open != null) {
      open.close();
      open = null;
    }
  }
}
