package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.spark.io.Location;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The tests' own tool: a component that it forgot would be shown by no test. */
final class RecordVariantsTest {
  enum Single {
    ONLY
  }

  interface Source {}

  record File(@Location String path, long digest) implements Source {}

  record Empty() implements Source {}

  record Even(int number) {
    Even {
      if (number % 2 != 0) {
        throw new IllegalArgumentException(number + " is odd");
      }
    }
  }

  record Everything(
      Even even,
      Single single,
      List<Even> list,
      Map<String, Boolean> map,
      Set<Integer> set,
      Optional<String> optional,
      double[] array,
      Source source,
      Source none,
      @Location Even place) {}

  private static final Everything VALUE =
      new Everything(
          new Even(2),
          Single.ONLY,
          List.of(new Even(4), new Even(6)),
          Map.of("key", true),
          Set.of(1),
          Optional.of("a"),
          new double[] {1, 2},
          new File("f", 9),
          null,
          new Even(8));

  private static final RecordVariants VARIANTS =
      new AnyRecord(1, List.of(File.class, Empty.class)).variants(VALUE);

  @Test
  void everyPlaceIsVaried() {
    assertThat(VARIANTS.all())
        .extracting(RecordVariants.Variant::path)
        .containsExactly(
            ".even.number",
            ".list[first].number",
            ".list.size",
            ".list.order",
            ".map[first]",
            ".map[key]",
            ".map.size",
            ".set[first]",
            ".set.size",
            ".optional.value",
            ".array[first]",
            ".array.size",
            ".array.order",
            ".source.path",
            ".source.digest",
            ".source.class",
            ".none",
            ".place.number");
    assertThat(VARIANTS.fixed()).containsExactly(".single");
  }

  @Test
  void locationsAreToldFromTheRest() {
    assertThat(VARIANTS.all().stream().filter(RecordVariants.Variant::location))
        .extracting(RecordVariants.Variant::path)
        .containsExactly(".source.path", ".place.number");
  }

  @Test
  void aVariantDiffersInItsPlaceAlone() {
    for (RecordVariants.Variant variant : VARIANTS.all()) {
      List<String> differing =
          RecordComponents.of(Everything.class).list().stream()
              .filter(one -> !Same.are(one.of(VALUE), one.of(variant.record())))
              .map(RecordComponents.Component::name)
              .toList();
      assertThat(differing).as(variant.path()).hasSize(1);
      assertThat(variant.path()).startsWith("." + differing.get(0));
    }
  }
}
