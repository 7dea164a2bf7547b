package io.shardpress.schemas.recipe;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The settings of one modifier: what a recipe gave, and the defaults of {@link SettingKey}. */
final class Settings {
  private final Map<SettingKey, Object> given = new EnumMap<>(SettingKey.class);

  void put(SettingKey key, Object value) {
    given.put(key, value);
  }

  boolean has(SettingKey key) {
    return given.containsKey(key);
  }

  Object get(SettingKey key) {
    return given.getOrDefault(key, key.standard());
  }

  boolean flag(SettingKey key) {
    return (boolean) get(key);
  }

  int whole(SettingKey key) {
    return Math.toIntExact((long) get(key));
  }

  long wide(SettingKey key) {
    return (long) get(key);
  }

  double real(SettingKey key) {
    return (double) get(key);
  }

  String word(SettingKey key) {
    return (String) get(key);
  }

  /** The order of columns that is given; there is none by default. */
  ActOrder order() {
    return (ActOrder) given.getOrDefault(SettingKey.ACTORDER, ActOrder.NONE);
  }

  /** The pairs that are given; none where a block's own are meant. */
  List<LayerMapping> mappings() {
    return given.get(SettingKey.MAPPINGS) instanceof List<?> pairs
        ? pairs.stream().map(LayerMapping.class::cast).toList()
        : List.of();
  }

  List<String> names(SettingKey key) {
    return ((List<?>) get(key)).stream().map(String.class::cast).toList();
  }
}
