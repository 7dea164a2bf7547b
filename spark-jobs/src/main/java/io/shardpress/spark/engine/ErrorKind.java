package io.shardpress.spark.engine;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.spark.store.PartException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import org.apache.hadoop.fs.FSError;

/** Why tasks fail, so that a fleet's failures can be counted by who has to do something. */
public enum ErrorKind {
  /** The model, the text or the recipe: no retry mends it. */
  INPUT,
  /** A part that is not what was written: the run makes it again. */
  PART,
  /** Files that cannot be read or written now: Spark tries again. */
  STORAGE,
  /** The heap was too small. */
  MEMORY,
  /** All else: most likely a fault of ours. */
  OTHER;

  /** The kind of an error, by what caused it first. */
  static ErrorKind of(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof CheckpointException) {
        return INPUT;
      } else if (cause instanceof PartException) {
        return PART;
      } else if (cause instanceof OutOfMemoryError) {
        return MEMORY;
      } else if (cause instanceof IOException
          || cause instanceof UncheckedIOException
          || cause instanceof FSError) {
        return STORAGE;
      }
    }
    return OTHER;
  }

  /** As it stands in names of metrics. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
