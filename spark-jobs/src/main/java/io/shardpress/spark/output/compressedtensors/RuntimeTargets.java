package io.shardpress.spark.output.compressedtensors;

import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.spark.plan.CompressionPlan;
import io.shardpress.spark.plan.FusedLinears;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The targets of several groups in one config, as runtimes resolve them. vLLM asks first for the
 * name of the linear that it has joined (qkv_proj), then for the class, and only then for the names
 * of the parts: beside a group for Linear, another for {@code re:.*q_proj$} would never be asked.
 * So each group names all that fell to it, joined or not, and no class.
 */
final class RuntimeTargets {
  private static final Pattern IN_BLOCK =
      Pattern.compile("(?:^|.*?\\.)(?:layers|h|blocks|layer)\\.\\d+\\.(.+)");

  private RuntimeTargets() {}

  /**
   * The groups with their targets: what the recipe says where there is one group only.
   *
   * @param groups in the order of the recipe, each with linears of its own
   */
  static List<SchemeGroup> of(CompressionPlan plan, List<SchemeGroup> groups) {
    if (groups.size() < 2) {
      return groups;
    }
    Map<String, Set<SchemeGroup>> byPlace = new TreeMap<>();
    for (PlanEntry entry : plan.entries()) {
      if (entry.action() == Action.QUANTIZE) {
        byPlace
            .computeIfAbsent(place(entry.module()), p -> new LinkedHashSet<>())
            .add(entry.choice().group());
      } else if (entry.ignored()) {
        // A pattern for this place would mean a linear that is left alone.
        byPlace.computeIfAbsent(place(entry.module()), p -> new LinkedHashSet<>()).add(null);
      }
    }
    List<SchemeGroup> named = new ArrayList<>();
    for (SchemeGroup group : groups) {
      named.add(
          new SchemeGroup(targets(plan, group, byPlace), group.weights(), group.activations()));
    }
    return named;
  }

  private static List<String> targets(
      CompressionPlan plan, SchemeGroup group, Map<String, Set<SchemeGroup>> byPlace) {
    Map<String, Set<String>> patterns = new TreeMap<>();
    TreeSet<String> names = new TreeSet<>();
    for (PlanEntry entry : plan.quantized().values()) {
      if (!entry.choice().group().equals(group)) {
        continue;
      }
      String place = place(entry.module());
      boolean everywhere = byPlace.get(place).size() == 1 && !place.equals(entry.module());
      if (everywhere) {
        add(patterns, place);
        add(patterns, FusedLinears.joined(place));
        add(patterns, FusedLinears.asked(place));
      } else {
        names.add(entry.module());
        names.add(FusedLinears.joined(entry.module()));
        names.add(FusedLinears.asked(entry.module()));
      }
    }
    List<String> targets = new ArrayList<>();
    patterns.forEach(
        (parent, leaves) -> {
          String before = parent.isEmpty() ? "" : escaped(parent) + "\\.";
          targets.add("re:.*\\." + before + "(" + String.join("|", leaves) + ")$");
        });
    targets.addAll(names);
    return targets;
  }

  private static void add(Map<String, Set<String>> patterns, String place) {
    int dot = place.lastIndexOf('.');
    patterns
        .computeIfAbsent(dot < 0 ? "" : place.substring(0, dot), parent -> new TreeSet<>())
        .add(place.substring(dot + 1));
  }

  /** A module's name inside its block, numbers of experts apart; its whole name outside blocks. */
  private static String place(String module) {
    Matcher matcher = IN_BLOCK.matcher(module);
    return matcher.matches() ? matcher.group(1).replaceAll("\\.\\d+\\.", ".0.") : module;
  }

  private static String escaped(String parent) {
    return parent.replace(".", "\\.").replaceAll("\\\\.0(\\\\.|$)", "\\\\.\\\\d+$1");
  }
}
