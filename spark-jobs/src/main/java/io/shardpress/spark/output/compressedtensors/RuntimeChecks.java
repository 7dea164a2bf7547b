package io.shardpress.spark.output.compressedtensors;

import io.shardpress.schemas.CheckpointException;
import io.shardpress.schemas.output.LinearFormat;
import io.shardpress.schemas.output.ManifestTensor.Action;
import io.shardpress.schemas.recipe.SchemeGroup;
import io.shardpress.schemas.recipe.WeightForm;
import io.shardpress.schemas.recipe.WeightScheme;
import io.shardpress.spark.plan.FusedLinears;
import io.shardpress.spark.plan.PlanEntry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What vLLM would refuse of an output that it would load otherwise. Schemes that it does not load
 * at all are only warned of, since Transformers does.
 */
public final class RuntimeChecks {
  private static final int WORD_BITS = 32;
  private static final int FEWEST_BITS = 4;

  private final String source;

  public RuntimeChecks(String source) {
    this.source = source;
  }

  /**
   * Checks every linear of a plan.
   *
   * @throws CheckpointException naming the modules, with the reason
   */
  public void check(List<PlanEntry> entries) {
    List<PlanEntry> linears =
        entries.stream()
            .filter(entry -> entry.action() == Action.QUANTIZE || entry.ignored())
            .toList();
    FusedLinears.joined(linears).forEach(this::joined);
    experts(linears).forEach(this::experts);
    for (PlanEntry entry : linears) {
      if (entry.choice() != null && loads(entry.choice().group())) {
        alone(entry);
      }
    }
  }

  private static boolean loads(SchemeGroup group) {
    return group.weights().bits() >= FEWEST_BITS && !group.weights().outliers();
  }

  private void joined(String name, List<PlanEntry> parts) {
    if (parts.stream().noneMatch(e -> e.choice() != null && loads(e.choice().group()))) {
      return;
    }
    PlanEntry first = parts.get(0);
    for (PlanEntry entry : parts) {
      if (!Objects.equals(weights(first), weights(entry))) {
        throw new CheckpointException(
            "%s: %s and %s are one linear in vLLM, %s, and the recipe has %s for one and %s for the other; give both the same scheme, ignore both, or say --runtime any"
                .formatted(source, first.module(), entry.module(), name, text(first), text(entry)));
      }
      if (parts.size() > 1
          && entry.choice() != null
          && entry.choice().group().weights().form() == WeightForm.FP8_BLOCK
          && entry.out() % WeightForm.BLOCK != 0) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: its %d rows do not split into blocks of %d, and vLLM joins it with others into %s, where blocks would begin elsewhere; use FP8_DYNAMIC, ignore %s, or say --runtime any",
                source,
                entry.tensor().tensor(),
                entry.out(),
                WeightForm.BLOCK,
                name,
                String.join(", ", parts.stream().map(PlanEntry::module).toList())));
      }
    }
  }

  /** Linears of experts by what vLLM calls all of a block. */
  private static Map<String, List<PlanEntry>> experts(List<PlanEntry> linears) {
    Map<String, List<PlanEntry>> experts = new TreeMap<>();
    for (PlanEntry entry : linears) {
      FusedLinears.experts(entry.module())
          .ifPresent(name -> experts.computeIfAbsent(name, n -> new ArrayList<>()).add(entry));
    }
    return experts;
  }

  /** vLLM asks for the scheme of the first expert's linears, and loads all of them by it. */
  private void experts(String name, List<PlanEntry> parts) {
    PlanEntry first = parts.get(0);
    for (PlanEntry entry : parts) {
      if (!Objects.equals(group(first), group(entry))) {
        throw new CheckpointException(
            "%s: %s and %s are run as one in vLLM, %s, and the recipe has %s for one and %s for the other; give all experts of a block the same scheme, ignore all, or say --runtime any"
                .formatted(source, first.module(), entry.module(), name, text(first), text(entry)));
      }
      if (group(entry) == null || !loads(entry.choice().group())) {
        continue;
      }
      if (!weights(entry).symmetric()) {
        throw new CheckpointException(
            "%s: tensor %s: found the asymmetric scheme %s for an expert, and of experts vLLM loads symmetric ones only; use one, --ignore 're:.*\\.experts\\..*', or say --runtime any"
                .formatted(source, entry.tensor().tensor(), text(entry)));
      }
      int width =
          FusedLinears.asked(entry.module()).endsWith("down_proj") ? entry.in() : entry.out();
      if (weights(entry).form() == WeightForm.FP8_BLOCK && width % WeightForm.BLOCK != 0) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: tensor %s: the expert's width of %d does not split into blocks of %d, as vLLM wants it; use FP8_DYNAMIC, --ignore 're:.*\\.experts\\..*', or say --runtime any",
                source,
                entry.tensor().tensor(),
                width,
                WeightForm.BLOCK));
      }
    }
  }

  /** What decides how it is loaded: weights and activations. */
  private static List<Object> group(PlanEntry entry) {
    if (entry.choice() == null) {
      return null;
    }
    SchemeGroup group = entry.choice().group();
    return Arrays.asList(group.weights(), group.activations());
  }

  private void alone(PlanEntry entry) {
    WeightScheme scheme = entry.choice().group().weights();
    boolean packed = LinearFormat.of(entry.choice().group()) == LinearFormat.PACK_QUANTIZED;
    int inWord = WORD_BITS / scheme.bits();
    if (packed && !scheme.symmetric() && entry.out() % inWord != 0) {
      throw new CheckpointException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: its %d rows are not a multiple of %d, and vLLM packs that many zero points to a word; use a symmetric scheme for it, --ignore %s, or say --runtime any",
              source,
              entry.tensor().tensor(),
              entry.out(),
              inWord,
              entry.module()));
    }
  }

  private static WeightScheme weights(PlanEntry entry) {
    return entry.choice() == null ? null : entry.choice().group().weights();
  }

  private static String text(PlanEntry entry) {
    return entry.choice() == null
        ? "no scheme"
        : entry.choice().group().schemeName() + " " + weights(entry).sharing();
  }
}
