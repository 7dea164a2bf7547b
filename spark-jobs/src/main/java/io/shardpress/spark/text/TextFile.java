package io.shardpress.spark.text;

import io.shardpress.schemas.text.TextLines;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/** One open file of documents. */
interface TextFile extends Closeable {
  /** What a file's name says about its contents. */
  enum Kind {
    JSONL(".jsonl"),
    PARQUET(".parquet"),
    TXT(".txt");

    private final String ending;

    Kind(String ending) {
      this.ending = ending;
    }

    static Optional<Kind> of(String fileName) {
      String plain = fileName.toLowerCase(Locale.ROOT).replaceFirst("\\.gz$", "");
      return Arrays.stream(values()).filter(kind -> plain.endsWith(kind.ending)).findFirst();
    }
  }

  /** The next document, empty for a row without text, or null at the end. */
  String read() throws IOException;

  /** Whether the last document has been through a chat template, special tokens and all. */
  default boolean templated() {
    return false;
  }

  static TextFile open(Path file, String field, ChatRows chats, Configuration conf)
      throws IOException {
    return switch (Kind.of(file.getName()).orElseThrow()) {
      case JSONL -> new JsonLines(file.toString(), lines(file, conf), field, chats);
      case PARQUET -> new ParquetText(file, field, chats, conf);
      case TXT -> new WholeText(lines(file, conf));
    };
  }

  private static TextLines lines(Path file, Configuration conf) throws IOException {
    InputStream in = file.getFileSystem(conf).open(file);
    CompressionCodec codec = new CompressionCodecFactory(conf).getCodec(file);
    return new TextLines(file.toString(), codec == null ? in : codec.createInputStream(in));
  }
}
