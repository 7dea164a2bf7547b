package io.shardpress.spark.store;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What each row of a part holds, in the order of writing: a note in the part's footer, so that rows
 * are found by name while the others stay unread.
 */
final class PartIndex {
  /** Rows [rowStart, rowStart + rowCount) of a tensor. */
  record Entry(String tensor, long rowStart, int rowCount) {
    long end() {
      return rowStart + rowCount;
    }

    @Override
    public String toString() {
      return "rows [" + rowStart + ", " + end() + ") of " + tensor;
    }
  }

  private final List<Entry> entries = new ArrayList<>();

  /** Places among the entries, by tensor and first row of it. */
  private final Map<String, NavigableMap<Long, Integer>> places = new HashMap<>();

  /**
   * Adds what the next row holds.
   *
   * @throws IllegalStateException where a row of that tensor begins there already
   */
  void add(String tensor, long rowStart, int rowCount) {
    Entry entry = new Entry(tensor, rowStart, rowCount);
    NavigableMap<Long, Integer> starts = places.computeIfAbsent(tensor, name -> new TreeMap<>());
    if (starts.putIfAbsent(rowStart, entries.size()) != null) {
      throw new IllegalStateException(entry + " are written twice");
    }
    entries.add(entry);
  }

  int size() {
    return entries.size();
  }

  Entry get(int place) {
    return entries.get(place);
  }

  boolean has(String tensor) {
    return places.containsKey(tensor);
  }

  /** The place of the row that holds all that the part has of a tensor; null where none does. */
  Integer only(String tensor) {
    NavigableMap<Long, Integer> starts = places.get(tensor);
    return starts == null || starts.size() > 1 ? null : starts.firstEntry().getValue();
  }

  /**
   * The places of the rows that hold rows [rowStart, rowStart + rowCount) of a tensor, in their
   * order; null where no rows hold these and nothing else.
   */
  List<Integer> of(String tensor, long rowStart, int rowCount) {
    NavigableMap<Long, Integer> starts = places.getOrDefault(tensor, new TreeMap<>());
    List<Integer> found = new ArrayList<>();
    long end = rowStart;
    for (int place : starts.subMap(rowStart, rowStart + rowCount).values()) {
      if (entries.get(place).rowStart() != end) {
        return null;
      }
      found.add(place);
      end = entries.get(place).end();
    }
    return end == rowStart + rowCount ? found : null;
  }

  /** As text: of each row start, count, the name's length and the name. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (Entry entry : entries) {
      text.append(entry.rowStart()).append(' ').append(entry.rowCount()).append(' ');
      text.append(entry.tensor().length()).append(' ').append(entry.tensor()).append('\n');
    }
    return text.toString();
  }

  /**
   * Reads what {@link #text} gave.
   *
   * @throws RuntimeException where it is something else
   */
  static PartIndex parse(String text) {
    PartIndex index = new PartIndex();
    int at = 0;
    while (at < text.length()) {
      int count = text.indexOf(' ', at) + 1;
      int length = text.indexOf(' ', count) + 1;
      int name = text.indexOf(' ', length) + 1;
      int end = name + Integer.parseInt(text.substring(length, name - 1));
      index.add(
          text.substring(name, end),
          Long.parseLong(text.substring(at, count - 1)),
          Integer.parseInt(text.substring(count, length - 1)));
      at = end + 1;
    }
    return index;
  }
}
