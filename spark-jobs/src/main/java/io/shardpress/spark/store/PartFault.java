package io.shardpress.spark.store;

import java.io.Serializable;

/**
 * What is wrong with a part.
 *
 * @param part its name
 * @param message its file, what was found and what was wanted
 */
public record PartFault(PartKey part, String message) implements Serializable {}
