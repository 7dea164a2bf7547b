package io.shardpress.spark.io;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Names of tensors that are stored once for two: safetensors' save_model keeps one of them, and
 * says in {@code __metadata__} which other name it stands for.
 */
final class TiedAliases {
  private static final String EMBEDDING = "embed_tokens.weight";
  private static final String HEAD = "lm_head.weight";

  private TiedAliases() {}

  /**
   * Adds the other names to {@code tensors}: both lie at the same place. Where config.json ties
   * lm_head to the embedding, only the embedding stays, under its own name.
   *
   * @param aliases another name of a tensor → its name in the file, with much else
   * @return what was done, for users
   */
  static List<String> follow(
      Map<String, TensorRef> tensors, Map<String, String> aliases, boolean tied) {
    List<String> notes = new ArrayList<>();
    Map<String, TensorRef> followed = new LinkedHashMap<>();
    for (Map.Entry<String, TensorRef> entry : tensors.entrySet()) {
      TensorRef stored = entry.getValue();
      boolean kept = true;
      for (Map.Entry<String, String> alias : aliases.entrySet()) {
        String other = alias.getKey();
        if (!alias.getValue().equals(stored.tensor())
            || tensors.containsKey(other)
            || other.isEmpty()) {
          continue;
        }
        kept &= !(tied && stored.tensor().endsWith(HEAD) && other.endsWith(EMBEDDING));
        followed.put(other, stored.named(other));
        notes.add(
            "%s: tensor %s: stored as %s, as __metadata__ says; it is read from there"
                .formatted(stored.file(), other, stored.tensor()));
      }
      if (kept) {
        followed.put(entry.getKey(), stored);
      }
    }
    if (!notes.isEmpty()) {
      tensors.clear();
      tensors.putAll(followed);
    }
    return notes;
  }
}
