package io.shardpress.spark.store;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Parts that are open together; closed together, also where one of them cannot be opened.
 *
 * @param <K> what they are told apart by
 */
public final class OpenParts<K> implements AutoCloseable {
  private final Map<K, PartReader> readers = new LinkedHashMap<>();

  /**
   * Opens parts, in the map's order.
   *
   * @throws PartException where one of them is no whole part
   */
  public static <K> OpenParts<K> of(PartStore store, Map<K, PartKey> parts) {
    OpenParts<K> open = new OpenParts<>();
    try {
      parts.forEach((name, part) -> open.readers.put(name, store.read(part)));
      return open;
    } catch (RuntimeException | Error e) {
      open.close();
      throw e;
    }
  }

  /** The same for parts that are told apart by their place in a list. */
  public static OpenParts<Integer> of(PartStore store, List<PartKey> parts) {
    Map<Integer, PartKey> places = new LinkedHashMap<>();
    parts.forEach(part -> places.put(places.size(), part));
    return of(store, places);
  }

  private OpenParts() {}

  /** A reader of each part, in the order of opening; open for as long as this is. */
  public Map<K, PartReader> readers() {
    return readers;
  }

  @Override
  public void close() {
    readers.values().forEach(PartReader::close);
    readers.clear();
  }
}
