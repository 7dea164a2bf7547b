package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardpress.schemas.safetensors.Dtype;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Two values have one form if and only if they are equal. */
@SuppressWarnings("JdkObsolete")
final class CanonicalFormPropertyTest {
  private static final int VALUES = 4_000;
  private static final int RECORDS = 3;

  record One(Object value) {}

  record Other(Object value) {}

  record Pair(Object first, Object second) {}

  /** Random values out of few atoms, so that equal ones and nearly equal ones are met often. */
  private record Values(Random random, boolean arrays) {
    private static final List<Object> ATOMS =
        List.of(
            0,
            1,
            0L,
            1L,
            0f,
            -0f,
            1d,
            true,
            "",
            "0",
            "1",
            "0:",
            "a",
            "[0]",
            "0,1",
            'a',
            Dtype.F32,
            Dtype.F16,
            Optional.empty(),
            new One(null),
            new Other(null));

    Object any(int depth) {
      if (depth == 0 || random.nextInt(4) == 0) {
        int choice = random.nextInt(ATOMS.size() + 1);
        return choice == ATOMS.size() ? null : ATOMS.get(choice);
      }
      return switch (random.nextInt(9)) {
        case 0 -> new One(any(depth - 1));
        case 1 -> new Other(any(depth - 1));
        case 2 -> new Pair(any(depth - 1), any(depth - 1));
        case 3 -> Optional.ofNullable(any(depth - 1));
        case 4 -> new HashSet<>(withoutArrays().list(depth));
        case 5 -> new LinkedList<>(list(depth));
        case 6 -> map(depth);
        case 7 -> arrays ? list(depth).toArray() : null;
        default -> list(depth);
      };
    }

    /** For sets and keys, which hold arrays that are equal to be two. */
    private Values withoutArrays() {
      return new Values(random, false);
    }

    private List<Object> list(int depth) {
      List<Object> list = new ArrayList<>();
      for (int i = random.nextInt(3); i > 0; i--) {
        list.add(any(depth - 1));
      }
      return list;
    }

    private Map<Object, Object> map(int depth) {
      Map<Object, Object> map = new HashMap<>();
      withoutArrays().list(depth).forEach(key -> map.put(key, any(depth - 1)));
      return map;
    }
  }

  @Test
  void valuesHaveOneFormIfAndOnlyIfTheyAreEqual() {
    Values values = new Values(new Random(20), true);
    List<Object> all = new ArrayList<>();
    List<String> forms = new ArrayList<>();
    for (int i = 0; i < VALUES; i++) {
      Object value = values.any(i % 4);
      all.add(value);
      forms.add(CanonicalForm.of(value));
    }
    int equal = 0;
    for (int i = 0; i < VALUES; i++) {
      for (int j = 0; j < i; j++) {
        boolean same = forms.get(i).equals(forms.get(j));
        if (same != Same.are(all.get(i), all.get(j))) {
          assertThat(same)
              .as("%s and %s, forms %s and %s", all.get(i), all.get(j), forms.get(i), forms.get(j))
              .isEqualTo(!same);
        }
        equal += same ? 1 : 0;
      }
    }
    assertThat(equal).as("pairs of equal values, so that both ways are shown").isGreaterThan(1000);
  }

  static List<Class<?>> records() {
    return OwnRecords.crossing();
  }

  @ParameterizedTest
  @MethodSource("records")
  void everyComponentOfTheProductsRecordsCounts(Class<?> type) {
    AnyRecord any = new AnyRecord(type.getName().hashCode(), OwnRecords.crossing());
    for (int i = 0; i < RECORDS; i++) {
      Record record = (Record) any.of(type);
      String form = CanonicalForm.of(record);
      assertThat(CanonicalForm.of(inOtherCollections(record))).isEqualTo(form);
      for (RecordVariants.Variant variant : any.variants(record).all()) {
        String other = CanonicalForm.of(variant.record());
        assertThat(other.equals(form))
            .as("%s%s of %s as in %s", type, variant.path(), variant.record(), record)
            .isEqualTo(variant.location());
      }
    }
  }

  /** An equal value whose collections are of other classes, and filled the other way round. */
  private static Object inOtherCollections(Object value) {
    if (value instanceof Record record) {
      RecordComponents components = RecordComponents.of(record.getClass());
      Object[] values =
          components.list().stream()
              .map(component -> inOtherCollections(component.of(record)))
              .toArray();
      return components.newInstance(values);
    }
    if (value instanceof List<?> list) {
      return new LinkedList<>(
          list.stream().map(CanonicalFormPropertyTest::inOtherCollections).toList());
    }
    if (value instanceof Set<?> set) {
      List<?> elements = new ArrayList<>(set);
      Collections.reverse(elements);
      return new LinkedHashSet<>(elements);
    }
    if (value instanceof Map<?, ?> map) {
      List<?> keys = new ArrayList<>(map.keySet());
      Collections.reverse(keys);
      Map<Object, Object> other = map instanceof TreeMap ? new HashMap<>() : new LinkedHashMap<>();
      keys.forEach(key -> other.put(key, inOtherCollections(map.get(key))));
      return other;
    }
    if (value instanceof Object[] array) {
      return Arrays.copyOf(array, array.length);
    }
    return value;
  }
}
