package io.shardpress.spark.plan;

import io.shardpress.schemas.Nearest;
import io.shardpress.schemas.model.ModelConfig;
import io.shardpress.schemas.recipe.Modifier;
import io.shardpress.schemas.recipe.Recipe;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.TargetMatcher;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.TensorRef;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Names and patterns of a recipe that match nothing of a model: a slip changes what is kept. */
final class UnmatchedNames {
  private static final String HEAD = "lm_head";

  /** Modules that a name is held against for the nearest: more are experts like each other. */
  private static final int COMPARED = 5_000;

  private final Set<String> modules = new LinkedHashSet<>();
  private final List<String> warnings = new ArrayList<>();

  private UnmatchedNames(Checkpoint checkpoint, ModelConfig config) {
    for (TensorRef tensor : checkpoint.tensors()) {
      int dot = tensor.tensor().lastIndexOf('.');
      modules.add(dot < 0 ? tensor.tensor() : tensor.tensor().substring(0, dot));
    }
    if (config.tieWordEmbeddings()
        || modules.stream().anyMatch(name -> name.endsWith("." + HEAD))) {
      // Recipes ignore it in models that have none of their own, too.
      modules.add(HEAD);
    }
  }

  /**
   * A line for each name that matches nothing, with the nearest that there is, and for each group
   * that no linear has fallen to.
   */
  static List<String> of(
      Checkpoint checkpoint, ModelConfig config, Recipe recipe, List<PlanEntry> entries) {
    UnmatchedNames names = new UnmatchedNames(checkpoint, config);
    for (Modifier modifier : recipe.modifiers()) {
      boolean byDefault = modifier.ignore().equals(List.of(HEAD));
      if (!byDefault) {
        modifier.ignore().forEach(name -> names.look("ignore", name, "nothing is kept by it"));
      }
      for (SchemeGroup group : modifier.groups()) {
        int before = names.warnings.size();
        group.targets().forEach(name -> names.look("targets", name, "nothing is quantized by it"));
        boolean used =
            entries.stream().anyMatch(e -> e.choice() != null && e.choice().group().equals(group));
        if (!used && names.warnings.size() == before) {
          names.warnings.add(
              "%s, targets %s: every linear that they match is ignored or falls to a group before"
                      .formatted(modifier.kind().modifier(), group.targets())
                  + " them; no linear has this group's scheme");
        }
      }
    }
    return names.warnings.stream().distinct().toList();
  }

  private void look(String key, String name, String consequence) {
    if (name.equals(Targets.LINEAR)) {
      return;
    }
    TargetMatcher matcher = new TargetMatcher(List.of(name));
    if (modules.stream().anyMatch(module -> matcher.matches(module, ""))) {
      return;
    }
    warnings.add(
        "%s: %s matches no module of this model, so %s; the nearest name is %s"
            .formatted(key, name, consequence, nearest(name)));
  }

  private String nearest(String name) {
    String typed = name.startsWith("re:") ? plain(name.substring(3)) : name;
    List<String> some = modules.stream().limit(COMPARED).toList();
    return Nearest.to(typed, some);
  }

  /** A pattern without what makes it one. */
  private static String plain(String regex) {
    return regex.replaceAll("\\\\d[+*]?", "0").replaceAll("[\\^$*+?()\\[\\]{}|\\\\]", "");
  }
}
