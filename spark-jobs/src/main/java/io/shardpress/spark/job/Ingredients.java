package io.shardpress.spark.job;

import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.store.PartKey;
import io.shardpress.spark.text.Windows;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** What all blocks of a run depend on, by names for people; its tensors apart. */
final class Ingredients {
  private static final int LONGEST_SHOWN = 60;

  private Ingredients() {}

  /**
   * @param windows of the calibration text; empty where the recipe needs none
   */
  static Map<String, String> of(
      CompressionPlan plan, Optional<Windows> windows, String arithmetic) {
    Map<String, String> all = new TreeMap<>();
    all.put("version of the parts", String.valueOf(PartKey.FORMAT));
    all.put("arithmetic", arithmetic);
    all.put("config.json", String.valueOf(plan.config()));
    all.put("scales", String.valueOf(plan.scaleFormat()));
    int number = 0;
    for (Modifier modifier : plan.recipe().modifiers()) {
      String name = (number++ == 0 ? "" : number + " ") + modifier.kind().modifier() + ".";
      modifier.settings().forEach((key, value) -> all.put(name + key, String.valueOf(value)));
      all.put(name + "groups", String.valueOf(modifier.groups()));
      all.put(name + "ignore", String.valueOf(modifier.ignore()));
      all.put(name + "kv_cache_scheme", String.valueOf(modifier.kvCache()));
    }
    windows.ifPresent(
        text -> {
          all.put("calibration text", text.fingerprint());
          all.put("--samples", String.valueOf(text.count()));
          all.put("--sequence-length", String.valueOf(text.length()));
        });
    return all;
  }

  /** What differs, a few words each. */
  static List<String> changes(Map<String, String> before, Map<String, String> now) {
    TreeSet<String> names = new TreeSet<>(before.keySet());
    names.addAll(now.keySet());
    List<String> changes = new ArrayList<>();
    for (String name : names) {
      String old = before.getOrDefault(name, "none");
      String other = now.getOrDefault(name, "none");
      if (!old.equals(other)) {
        boolean shown = old.length() + other.length() <= LONGEST_SHOWN;
        changes.add(name + (shown ? " " + old + " -> " + other : " changed"));
      }
    }
    return changes;
  }
}
