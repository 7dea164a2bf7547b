package io.shardpress.spark.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.esotericsoftware.kryo.Kryo;
import io.shardpress.spark.store.PartKey;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.serializer.KryoRegistrator;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.serializer.SerializerInstance;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** What goes through Spark's own Kryo, with registration required, comes back equal. */
@SuppressWarnings("JdkObsolete")
final class CrossingTest {
  private static final int RECORDS = 3;
  private static final ClassTag<Object> ANY = ClassTag$.MODULE$.apply(Object.class);

  private static final SerializerInstance PRODUCT = serializer(OfTheProduct.class);
  private static final SerializerInstance TEST = serializer(OfThisTest.class);

  /** Registers everything of the product. */
  public static final class OfTheProduct implements KryoRegistrator {
    @Override
    public void registerClasses(Kryo kryo) {
      Crossing.of(OwnRecords.crossing()).register(kryo);
    }
  }

  /** Registers this test's records. */
  public static final class OfThisTest implements KryoRegistrator {
    @Override
    public void registerClasses(Kryo kryo) {
      Crossing.of(
              List.of(
                  Open.class,
                  Several.class,
                  Sorted.class,
                  Shape.class,
                  Animal.class,
                  TimeUnit.class,
                  float[][].class,
                  int[].class,
                  Object[].class))
          .register(kryo);
    }
  }

  record Open(Object value) implements Serializable {}

  record Several(PartKey one, PartKey other, List<Integer> list, Set<Integer> set)
      implements Serializable {}

  record Sorted(SortedMap<String, Integer> map, SortedSet<Integer> set) implements Serializable {}

  sealed interface Shape extends Serializable {}

  record Circle(double radius) implements Shape {}

  private record Square(Side side) implements Shape {}

  private enum Side {
    SHORT,
    LONG {
      @Override
      public String toString() {
        return "a class of its own";
      }
    }
  }

  /** Open to implementations that nothing leads to. */
  interface Creature extends Serializable {}

  record Animal(Creature parent) implements Creature {}

  record Plant() implements Creature {}

  record Timed(List<Duration> times) {}

  private static SerializerInstance serializer(Class<? extends KryoRegistrator> registrator) {
    return new KryoSerializer(conf(registrator)).newInstance();
  }

  private static SparkConf conf(Class<? extends KryoRegistrator> registrator) {
    return new SparkConf(false)
        .set("spark.serializer", KryoSerializer.class.getName())
        .set("spark.kryo.registrationRequired", "true")
        .set("spark.kryo.registrator", registrator.getName());
  }

  private static Object sent(Object value, SerializerInstance serializer) {
    ByteBuffer bytes = serializer.serialize(value, ANY);
    return serializer.deserialize(bytes, ANY);
  }

  static List<Class<?>> records() {
    return OwnRecords.crossing();
  }

  @ParameterizedTest
  @MethodSource("records")
  void everyRecordOfTheProductComesBackEqual(Class<?> type) {
    AnyRecord any = new AnyRecord(type.getName().hashCode(), OwnRecords.crossing());
    for (int i = 0; i < RECORDS; i++) {
      Object record = any.of(type);
      Object back = sent(record, PRODUCT);
      assertThat(Same.are(record, back)).as("%s came back as %s", record, back).isTrue();
      assertThat(CanonicalForm.of(back)).isEqualTo(CanonicalForm.of(record));
    }
  }

  static Stream<Object> values() {
    return Stream.of(
        Optional.empty(),
        Optional.of("a"),
        "text",
        true,
        (byte) 1,
        (short) 2,
        'c',
        3,
        4L,
        5f,
        6d,
        Side.SHORT,
        Side.LONG,
        new Circle(1),
        new Square(Side.LONG),
        new Square(null),
        List.of(),
        List.of(1),
        List.of(1, 2, 3),
        Arrays.asList(1, null),
        new ArrayList<>(List.of(1)),
        Collections.emptyList(),
        Collections.singletonList(1),
        Collections.unmodifiableList(new ArrayList<>(List.of(1))),
        Collections.unmodifiableList(new LinkedList<>(List.of(1))),
        Set.of(),
        Set.of(1),
        Set.of(1, 2, 3),
        Collections.unmodifiableSet(new TreeSet<>(Set.of(1))),
        new LinkedHashSet<>(List.of(2, 1)),
        new TreeSet<>(List.of(2, 1)),
        EnumSet.of(TimeUnit.DAYS),
        Map.of(),
        Map.of(1, "a"),
        Map.of(1, "a", 2, "b", 3, "c"),
        Collections.unmodifiableMap(new TreeMap<>(Map.of(1, "a"))),
        Collections.unmodifiableSortedMap(new TreeMap<>(Map.of(1, "a"))),
        new LinkedHashMap<>(Map.of(1, "a")),
        new TreeMap<>(Map.of(1, "a")),
        new EnumMap<>(Map.of(TimeUnit.DAYS, "a")),
        new int[] {1, -1, Integer.MIN_VALUE},
        new float[][] {{1, -0f}, null, {}},
        new Object[] {1, "a", null, new Circle(2)});
  }

  @ParameterizedTest
  @MethodSource("values")
  void whatStandsWhereAnyObjectCanComesBackEqual(Object value) {
    Open back = (Open) sent(new Open(value), TEST);
    assertThat(Same.are(value, back.value())).as("%s came back as %s", value, back).isTrue();
  }

  @Test
  void nullsComeBack() {
    assertThat(sent(new Open(null), TEST)).isEqualTo(new Open(null));
    Several empty = new Several(null, null, null, null);
    assertThat(sent(empty, TEST)).isEqualTo(empty);
  }

  @Test
  void whatStandsInARecordTwiceCrossesOnce() {
    PartKey key = new PartKey("ab");
    List<Integer> list = List.of(1);
    Several back = (Several) sent(new Several(key, key, list, Set.of()), TEST);
    assertThat(back.other()).isEqualTo(key).isSameAs(back.one());
  }

  @Test
  void collectionsComeBackInOrderAndUnmodifiable() {
    Set<Integer> set = new LinkedHashSet<>(List.of(9, 1, 5));
    List<Integer> list = new ArrayList<>(Arrays.asList(3, null, 1));
    Several back = (Several) sent(new Several(null, null, list, set), TEST);
    assertThat(back.list()).containsExactly(3, null, 1);
    assertThat(back.set()).containsExactly(9, 1, 5);
    assertThatThrownBy(() -> back.list().add(1)).isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> back.set().add(1)).isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void whatIsSortedByItselfCrossesAndByAComparatorDoesNot() {
    Sorted sorted = new Sorted(new TreeMap<>(Map.of("a", 1, "b", 2)), new TreeSet<>(Set.of(2, 1)));
    assertThat(sent(sorted, TEST)).isEqualTo(sorted);
    Sorted other = new Sorted(null, new TreeSet<>(Comparator.reverseOrder()));
    assertThatThrownBy(() -> sent(other, TEST))
        .hasMessageContaining("CrossingTest$Sorted.set is sorted by a comparator");
  }

  @Test
  void anUnregisteredClassIsNamed() {
    assertThatThrownBy(() -> sent(new Animal(new Plant()), TEST))
        .hasMessageContaining("CrossingTest$Animal.parent holds a " + Plant.class.getName())
        .hasMessageContaining("add it to the roots");
  }

  @Test
  void whatCannotCrossIsRefusedWithItsComponent() {
    assertThatThrownBy(() -> Crossing.of(List.of(Timed.class)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("CrossingTest$Timed.times: a java.time.Duration cannot cross Spark");
    assertThatThrownBy(() -> Crossing.of(List.of(CrossingTest.class)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(CrossingTest.class.getName());
  }

  @Test
  void rootsLeadToTheSameClassesInTheSameOrder() {
    assertThat(Crossing.of(List.of(Shape.class, Several.class, Animal.class)).types())
        .containsExactly(
            Circle.class, Square.class, Side.class, Several.class, PartKey.class, Animal.class);
  }

  @Test
  void recordsCrossASparkJob() {
    SparkConf conf =
        conf(OfThisTest.class)
            .setMaster("local[1]")
            .setAppName("crossing")
            .set("spark.ui.enabled", "false")
            .set("spark.driver.host", "127.0.0.1")
            .set("spark.driver.bindAddress", "127.0.0.1");
    List<Shape> shapes = List.of(new Circle(1), new Square(Side.LONG));
    try (JavaSparkContext spark = new JavaSparkContext(conf)) {
      assertThat(spark.parallelize(shapes, 2).map(shape -> new Open(List.of(shape))).collect())
          .containsExactly(new Open(List.of(shapes.get(0))), new Open(List.of(shapes.get(1))));
    }
  }
}
