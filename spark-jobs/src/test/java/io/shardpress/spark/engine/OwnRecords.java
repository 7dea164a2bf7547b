package io.shardpress.spark.engine;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.shardpress.schemas.recipe.Recipe;
import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** The product's own records and enums, wherever they lie. */
final class OwnRecords {
  // They hold modifiers, which are no records, or accumulators, which cross in closures; nothing
  // that crosses as data leads to them.
  private static final Set<String> OF_THE_DRIVER =
      Set.of(Recipe.class.getName(), Recipe.Choice.class.getName(), Tallies.class.getName());

  // Spark makes these cross by itself, as partitions, factories of readers, and closures.
  private static final String OF_SPARK =
      "org\\.apache\\.spark\\.(sql\\.connector|api\\.java\\.function)\\..*";

  private static final List<JavaClass> TYPES =
      new ClassFileImporter()
              .withImportOption(new ImportOption.DoNotIncludeTests())
              .importPackages("io.shardpress")
              .stream()
              .filter(type -> type.isRecord() || type.isEnum())
              .sorted(Comparator.comparing(JavaClass::getName))
              .toList();

  private OwnRecords() {}

  /** All, and the enums, without classes of enums' constants. */
  static List<Class<?>> named() {
    return TYPES.stream()
        .filter(type -> !type.isAnonymousClass())
        .<Class<?>>map(JavaClass::reflect)
        .toList();
  }

  /** Those that cross Spark as data: those that are serializable, but for a few. */
  static List<Class<?>> crossing() {
    return TYPES.stream()
        .filter(JavaClass::isRecord)
        .filter(type -> type.isAssignableTo(Serializable.class))
        .filter(type -> !OF_THE_DRIVER.contains(type.getName()))
        .filter(type -> type.getAllRawInterfaces().stream().noneMatch(OwnRecords::isOfSpark))
        .<Class<?>>map(JavaClass::reflect)
        .toList();
  }

  private static boolean isOfSpark(JavaClass type) {
    return type.getName().matches(OF_SPARK);
  }
}
