package io.shardpress.spark.text;

import io.shardpress.schemas.CheckpointException;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/** A document per row, in one string column; the others are not read. */
final class ParquetText implements TextFile {
  private final ParquetReader<Group> reader;
  private final String source;
  private final String field;
  private final ChatRows chats;
  private final boolean templated;
  private long rowNumber;

  ParquetText(Path file, String field, ChatRows chats, Configuration conf) throws IOException {
    this.source = file.toString();
    this.field = field;
    this.chats = chats;
    Configuration projected = new Configuration(conf);
    MessageType columns = columns(file, field, conf);
    this.templated = !(columns.containsField(field) && isString(columns.getType(field)));
    projected.set(ReadSupport.PARQUET_READ_SCHEMA, columns.toString());
    reader = ParquetReader.builder(new GroupReadSupport(), file).withConf(projected).build();
  }

  private static MessageType columns(Path file, String field, Configuration conf)
      throws IOException {
    MessageType schema;
    try (ParquetFileReader footer = ParquetFileReader.open(HadoopInputFile.fromPath(file, conf))) {
      schema = footer.getFileMetaData().getSchema();
    } catch (RuntimeException e) {
      throw new CheckpointException("text " + file + ": no Parquet: " + e.getMessage(), e);
    }
    if (schema.containsField(field) && isString(schema.getType(field))) {
      return new MessageType(schema.getName(), schema.getType(field));
    }
    return ParquetChats.columns(schema, field)
        .orElseThrow(() -> noText(file.toString(), field, schema));
  }

  private static CheckpointException noText(String source, String field, GroupType schema) {
    return new CheckpointException(
        "text %s: no string column \"%s\", columns are %s; name it with --text-field; %s"
            .formatted(
                source,
                field,
                schema.getFields().stream().map(Type::getName).toList(),
                ChatRows.wanted()));
  }

  private static boolean isString(Type type) {
    return type.isPrimitive()
        && !type.isRepetition(Type.Repetition.REPEATED)
        && type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY;
  }

  @Override
  public String read() throws IOException {
    Group row = reader.read();
    if (row == null) {
      return null;
    }
    rowNumber++;
    if (templated) {
      String where = "text " + source + ", row " + rowNumber;
      return chats
          .text(ParquetChats.object(row), field, where)
          .orElseThrow(() -> noText(source, field, row.getType()));
    }
    return row.getFieldRepetitionCount(field) == 0 ? "" : row.getString(field, 0);
  }

  @Override
  public boolean templated() {
    return templated;
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
