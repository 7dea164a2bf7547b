package io.shardpress.spark.io;

import java.io.Serializable;

/**
 * A file of a checkpoint.
 *
 * @param name inside the checkpoint's folder
 * @param uri of the file
 * @param length in bytes
 * @param modificationTime in milliseconds since 1970, as the file system gives it
 */
public record CheckpointFile(String name, String uri, long length, long modificationTime)
    implements Serializable {}
