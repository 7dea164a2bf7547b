package io.shardpress.schemas.fuzz;

import java.util.ArrayList;
import java.util.List;

/** A JSON value as it was written: scalars are text, and an object can have a key twice. */
public sealed interface Json {
  /** A string with its quotes, a number or a word; damage may put any text here. */
  record Scalar(String text) implements Json {}

  record Array(List<Json> elements) implements Json {}

  record Mapping(List<Entry> entries) implements Json {
    /** The value of a decoded key, or null. */
    public Json get(String key) {
      for (Entry entry : entries) {
        if (StrictJsonReading.string(entry.key()).equals(key)) {
          return entry.value();
        }
      }
      return null;
    }
  }

  /**
   * @param key with its quotes
   */
  record Entry(String key, Json value) {}

  /** The text, without spaces. */
  default String write() {
    StringBuilder out = new StringBuilder();
    write(this, out);
    return out.toString();
  }

  private static void write(Json json, StringBuilder out) {
    if (json instanceof Scalar scalar) {
      out.append(scalar.text());
    } else if (json instanceof Array array) {
      out.append('[');
      for (int i = 0; i < array.elements().size(); i++) {
        out.append(i == 0 ? "" : ",");
        write(array.elements().get(i), out);
      }
      out.append(']');
    } else if (json instanceof Mapping mapping) {
      out.append('{');
      for (int i = 0; i < mapping.entries().size(); i++) {
        out.append(i == 0 ? "" : ",").append(mapping.entries().get(i).key()).append(':');
        write(mapping.entries().get(i).value(), out);
      }
      out.append('}');
    }
  }

  /** The value itself and all that it holds, in the order of the text. */
  default List<Json> all() {
    List<Json> all = new ArrayList<>();
    gather(this, all);
    return all;
  }

  private static void gather(Json json, List<Json> all) {
    all.add(json);
    if (json instanceof Array array) {
      array.elements().forEach(element -> gather(element, all));
    } else if (json instanceof Mapping mapping) {
      mapping.entries().forEach(entry -> gather(entry.value(), all));
    }
  }

  /** The same with {@code part}, found by identity, replaced. */
  default Json with(Json part, Json other) {
    if (this == part) {
      return other;
    }
    if (this instanceof Array array) {
      return new Array(array.elements().stream().map(one -> one.with(part, other)).toList());
    }
    if (this instanceof Mapping mapping) {
      return new Mapping(
          mapping.entries().stream()
              .map(entry -> new Entry(entry.key(), entry.value().with(part, other)))
              .toList());
    }
    return this;
  }
}
