package io.shardpress.spark.engine;

import java.util.ArrayDeque;
import java.util.Deque;

/** Where in a value one stands, such as {@code SolveStep.tiles[3].start}; for messages. */
final class ValuePath {
  private final Deque<Object> path = new ArrayDeque<>();

  /** Goes to a component of a record, or to the record at the top. */
  void enter(String name) {
    path.addLast(name);
  }

  /** Goes to an element, by its number or its key's form. */
  void enter(Place place) {
    path.addLast(place);
  }

  void leave() {
    path.removeLast();
  }

  boolean isEmpty() {
    return path.isEmpty();
  }

  /** An element of a collection. */
  record Place(Object place) {
    static final Place KEY = new Place("key");
    static final Place ELEMENT = new Place("element");

    @Override
    public String toString() {
      return "[" + place + "]";
    }
  }

  /** What is wrong with the value here. */
  IllegalArgumentException refused(String why) {
    return new IllegalArgumentException(isEmpty() ? why : this + ": " + why);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (Object step : path) {
      text.append(step instanceof String name && !text.isEmpty() ? "." + name : step);
    }
    return text.toString();
  }
}
