package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardpress.schemas.safetensors.Dtype;
import io.shardpress.spark.io.Location;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@SuppressWarnings("JdkObsolete")
final class CanonicalFormTest {
  record Tile(int start, Long count) {}

  record Placed(@Location String file, Dtype dtype, @Location long position) {}

  record Nothing() {}

  record Anything(Object value) {}

  record Holder(Anything held, List<Anything> list, Map<String, Object> map, Set<Object> set) {}

  sealed interface Shape {}

  record Circle(double radius) implements Shape {}

  record Square(double radius) implements Shape {}

  static Stream<Arguments> forms() {
    return Stream.of(
        Arguments.of(null, "null"),
        Arguments.of(true, "true"),
        Arguments.of(-5, "-5"),
        Arguments.of(1234567L, "1234567L"),
        Arguments.of((short) 5, "5s"),
        Arguments.of((byte) -5, "-5b"),
        Arguments.of('A', "65c"),
        Arguments.of(3f, "0x1.8p1f"),
        Arguments.of(0.1, "0x1.999999999999ap-4d"),
        Arguments.of(-0.0, "-0x0.0p0d"),
        Arguments.of(Double.MIN_VALUE, "0x0.0000000000001p-1022d"),
        Arguments.of(Float.NaN, "NaNf"),
        Arguments.of(Double.NEGATIVE_INFINITY, "-Infinityd"),
        Arguments.of("", "\"0:\""),
        Arguments.of("ß→𝄞", "\"4:ß→𝄞\""),
        Arguments.of(Dtype.BF16, "Dtype.BF16"),
        Arguments.of(Optional.empty(), "Optional()"),
        Arguments.of(Optional.of(1), "Optional(1)"),
        Arguments.of(List.of(), "[]"),
        Arguments.of(Arrays.asList(1, null, List.of("a")), "[1,null,[\"1:a\"]]"),
        Arguments.of(Set.of(), "set()"),
        Arguments.of(Set.of(10, 9, 1), "set(1,10,9)"),
        Arguments.of(Map.of(), "map()"),
        Arguments.of(Map.of("b", 1, "a", 2), "map(\"1:a\"=2,\"1:b\"=1)"),
        Arguments.of(new int[] {2, 1}, "int[](2,1)"),
        Arguments.of(new float[][] {{1}, null}, "float[][](float[](0x1.0p0f),null)"),
        Arguments.of(new Dtype[] {Dtype.F32}, "Dtype[](Dtype.F32)"),
        Arguments.of(new Nothing(), "CanonicalFormTest$Nothing{}"),
        Arguments.of(new Tile(0, 64L), "CanonicalFormTest$Tile{start=0,count=64L}"),
        Arguments.of(new Placed("f", Dtype.F16, 8), "CanonicalFormTest$Placed{dtype=Dtype.F16}"));
  }

  @ParameterizedTest
  @MethodSource("forms")
  void valuesHaveTheForm(Object value, String form) {
    assertThat(CanonicalForm.of(value)).isEqualTo(form);
  }

  @Test
  void theLocaleDoesNotCount() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG"));
    try {
      assertThat(String.format(Locale.getDefault(), "%d", 12))
          .as("this locale has digits of its own")
          .isEqualTo("١٢");
      assertThat(CanonicalForm.of(List.of(12, 12L, 1.5f, 1.5)))
          .isEqualTo("[12,12L,0x1.8p0f,0x1.8p0d]");
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void whichCollectionItIsDoesNotCount() {
    List<String> list = List.of("b", "a");
    assertThat(Stream.of(new ArrayList<>(list), new LinkedList<>(list), Arrays.asList("b", "a")))
        .allSatisfy(other -> assertThat(CanonicalForm.of(other)).isEqualTo(CanonicalForm.of(list)));
    Set<TimeUnit> set = Set.of(TimeUnit.DAYS, TimeUnit.HOURS);
    Set<TimeUnit> reversed = new LinkedHashSet<>(List.of(TimeUnit.DAYS, TimeUnit.HOURS));
    Set<TimeUnit> straight = new LinkedHashSet<>(List.of(TimeUnit.HOURS, TimeUnit.DAYS));
    assertThat(
            Stream.of(
                reversed, straight, EnumSet.copyOf(set), new HashSet<>(set), new TreeSet<>(set)))
        .allSatisfy(other -> assertThat(CanonicalForm.of(other)).isEqualTo(CanonicalForm.of(set)));
    Map<TimeUnit, Integer> map = Map.of(TimeUnit.DAYS, 1, TimeUnit.HOURS, 2);
    Map<TimeUnit, Integer> inserted = new LinkedHashMap<>();
    inserted.put(TimeUnit.HOURS, 2);
    inserted.put(TimeUnit.DAYS, 1);
    assertThat(
            Stream.of(
                inserted,
                new EnumMap<>(map),
                new HashMap<>(map),
                new TreeMap<>(map),
                Collections.unmodifiableMap(inserted)))
        .allSatisfy(other -> assertThat(CanonicalForm.of(other)).isEqualTo(CanonicalForm.of(map)));
  }

  /** What could be taken for one another, where a component can be anything. */
  static List<Object> different() {
    return Arrays.asList(
        null,
        "null",
        "",
        "1",
        1,
        1L,
        (short) 1,
        (byte) 1,
        (char) 1,
        1f,
        1d,
        true,
        "true",
        0.0,
        -0.0,
        0f,
        List.of(),
        Set.of(),
        Map.of(),
        Optional.empty(),
        new int[0],
        new long[0],
        new int[0][],
        new Object[0],
        List.of(1),
        Set.of(1),
        Map.of(1, 1),
        Optional.of(1),
        new int[] {1},
        new Integer[] {1},
        List.of(List.of(), List.of()),
        List.of(List.of(List.of())),
        List.of("a", "b"),
        List.of("a,b"),
        List.of("a\",\"1:b"),
        List.of("b", "a"),
        Map.of("a", "b"),
        Map.of("a", List.of("b")),
        new Circle(1),
        new Square(1),
        new Anything(null),
        new Anything("null"),
        new Anything(new Anything(null)),
        new Nothing(),
        "CanonicalFormTest$Nothing{}",
        TimeUnit.DAYS,
        "TimeUnit.DAYS");
  }

  @Test
  void differentValuesHaveDifferentForms() {
    assertThat(different().stream().map(CanonicalForm::of)).doesNotHaveDuplicates();
    assertThat(different().stream().map(value -> CanonicalForm.of(new Anything(value))))
        .doesNotHaveDuplicates();
    assertThat(different().stream().map(value -> CanonicalForm.of(Arrays.asList(value, value))))
        .doesNotHaveDuplicates();
  }

  @Test
  void whatHasNoFormIsRefusedByItsPath() {
    Object object = new Object();
    Anything held = new Anything(object);
    String what = ": a java.lang.Object has no canonical form";
    assertRefused(object, "a java.lang.Object has no canonical form");
    assertRefused(held, "CanonicalFormTest$Anything.value" + what);
    assertRefused(new Holder(held, null, null, null), "CanonicalFormTest$Holder.held.value" + what);
    assertRefused(
        new Holder(null, List.of(new Anything(1), held), null, null),
        "CanonicalFormTest$Holder.list[1].value" + what);
    assertRefused(
        new Holder(null, null, Map.of("k", object), null),
        "CanonicalFormTest$Holder.map[\"1:k\"]" + what);
    assertRefused(
        new Holder(null, null, null, Set.of(object)),
        "CanonicalFormTest$Holder.set[element]" + what);
    assertRefused(
        new Anything(new Object[] {1, object}), "CanonicalFormTest$Anything.value[1]" + what);
    assertRefused(
        new Anything(new ArrayDeque<>()),
        "CanonicalFormTest$Anything.value: a java.util.ArrayDeque has no canonical form");
    assertRefused(
        new Anything("a\ud834"),
        "CanonicalFormTest$Anything.value: text with half a surrogate pair has no canonical form");
  }

  private static void assertRefused(Object value, String message) {
    assertThatThrownBy(() -> CanonicalForm.of(value))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void noTwoOfTheProductsRecordsAndEnumsShareAName() {
    assertThat(OwnRecords.named().stream().map(RecordComponents::nameOf)).doesNotHaveDuplicates();
  }

  @Test
  void aLongRecordWithinAnotherValueIsGivenByItsDigest() {
    // Of CanonicalFormTest$Anything{value="240:aaa…"}, by sha256sum.
    String digest =
        "CanonicalFormTest$Anything#a5c794bd080e3aaf72e8830f673054ab"
            + "38996afc23ef8368623a4e07b9154188";
    Anything longest = new Anything("a".repeat(CanonicalForm.LONGEST - 40));
    Anything longer = new Anything("a".repeat(240));
    assertThat(CanonicalForm.of(longer)).hasSize(280);
    assertThat(CanonicalForm.of(longest)).hasSizeLessThanOrEqualTo(CanonicalForm.LONGEST);
    assertThat(CanonicalForm.of(List.of(longest))).isEqualTo("[" + CanonicalForm.of(longest) + "]");
    assertThat(CanonicalForm.of(List.of(longer))).isEqualTo("[" + digest + "]");
    assertThat(CanonicalForm.of(List.of(new Anything("a".repeat(240)))))
        .isEqualTo("[" + digest + "]");
  }

  @Test
  void aRecordWhoseListChangesChangesItsForm() {
    List<String> list = new ArrayList<>(List.of("a".repeat(CanonicalForm.LONGEST)));
    Anything record = new Anything(list);
    String before = CanonicalForm.of(List.of(record, record));
    list.add("b");
    String after = CanonicalForm.of(List.of(record, record));
    assertThat(after).isNotEqualTo(before);
    assertThat(after)
        .isEqualTo(
            CanonicalForm.of(
                List.of(
                    new Anything(List.of("a".repeat(CanonicalForm.LONGEST), "b")),
                    new Anything(List.of("a".repeat(CanonicalForm.LONGEST), "b")))));
  }

  @Test
  void aRecordWhoseNestedArrayChangesChangesItsForm() {
    int[] array = new int[CanonicalForm.LONGEST];
    Anything record = new Anything(new Anything(new Anything(array)));
    String before = CanonicalForm.of(List.of(record));
    array[3] = 1;
    assertThat(CanonicalForm.of(List.of(record))).isNotEqualTo(before);
  }
}
