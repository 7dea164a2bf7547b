package io.shardpress.spark.engine;

import io.shardpress.spark.engine.Changes.Change;
import io.shardpress.spark.io.Location;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies of a record that differ in one component each, or in one component of what it holds; of a
 * collection's elements the first is varied, and how many there are and in which order.
 *
 * @param all the copies
 * @param fixed paths of components for which no other value was accepted, such as an enum with one
 *     constant
 */
public record RecordVariants(List<Variant> all, List<String> fixed) {
  /**
   * A copy.
   *
   * @param path what differs, such as {@code .schemes[first].bits}
   * @param location whether what differs is, or lies within, a {@link Location}
   */
  public record Variant(String path, boolean location, Record record) {}

  static RecordVariants of(Record record, AnyRecord any) {
    List<Variant> all = new ArrayList<>();
    List<String> fixed = new ArrayList<>();
    for (Change change : new Changes(any).ofRecord(record)) {
      if (change.candidates().isEmpty()) {
        fixed.add(change.path());
      } else {
        all.add(new Variant(change.path(), change.location(), (Record) change.candidates().get(0)));
      }
    }
    return new RecordVariants(List.copyOf(all), List.copyOf(fixed));
  }
}
