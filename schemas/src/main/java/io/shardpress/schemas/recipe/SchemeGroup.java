package io.shardpress.schemas.recipe;

import java.io.Serializable;
import java.util.List;

/**
 * Modules that share a scheme: one of config_groups.
 *
 * @param targets exact names, {@code re:} patterns or class names
 */
public record SchemeGroup(List<String> targets, WeightScheme weights) implements Serializable {
  public SchemeGroup {
    targets = List.copyOf(targets);
  }
}
