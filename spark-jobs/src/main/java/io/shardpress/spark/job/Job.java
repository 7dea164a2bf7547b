package io.shardpress.spark.job;

import java.util.Map;

/**
 * A run that publishes into a folder: what it is made from and which steps it takes. {@link
 * JobRunner} has all else: the lease, resuming, mending, the record, the report, the manifest.
 */
public interface Job {
  /** Names the run, 64 hex digits: the same inputs and settings give the same id. */
  String id();

  /** URI of the checkpoint that it reads, for the manifest and the record. */
  String model();

  /** SHA-256 of what was asked for, for the manifest. */
  String digest();

  /** What the run depends on, by names for people: a later plan says which of it has changed. */
  default Map<String, String> ingredients(String arithmetic) {
    return Map.of();
  }

  /**
   * Takes the steps whose parts are missing. It is called again where a part turned out to be bad,
   * and then begins anew.
   */
  Outcome run(JobContext context);

  /** What is true of this run only, such as its cost; called after {@link #run}. */
  default Map<String, String> facts() {
    return Map.of();
  }

  /** Called once everything is published. */
  default void published() {}
}
