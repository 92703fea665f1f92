import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.sql.*;
import java.util.Properties;

/** A program as they are written with JDBC: `Statements.java url user`, the password on standard input. Prints what it got. */
public class Statements {
  public static void main(String[] args) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", args[1]);
    properties.setProperty("password", new BufferedReader(new InputStreamReader(System.in)).readLine());
    try (Connection connection = DriverManager.getConnection(args[0], properties)) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("drop table if exists jdbc_orders");
        statement.execute("create table jdbc_orders (id int primary key, name varchar(100), price decimal(10,2), at timestamp null)");
      }
      connection.setAutoCommit(false);
      try (PreparedStatement insert = connection.prepareStatement("insert into jdbc_orders values (?, ?, ?, ?)")) {
        for (int i = 1; i <= 20; i++) {
          insert.setInt(1, i);
          insert.setString(2, i % 5 == 0 ? null : "Zo\u00eb \ud83d\ude00 " + i);
          insert.setBigDecimal(3, new BigDecimal("19.90").multiply(new BigDecimal(i)));
          insert.setTimestamp(4, Timestamp.valueOf("2026-02-03 04:05:06"));
          insert.addBatch();
        }
        System.out.println("inserted " + insert.executeBatch().length);
      }
      connection.commit();
      try (PreparedStatement query = connection.prepareStatement("select id, name, price, at from jdbc_orders where id > ? order by id")) {
        query.setFetchSize(5);
        for (int round = 0; round < 7; round++) {
          query.setInt(1, 12 + round);
          try (ResultSet rows = query.executeQuery()) {
            while (rows.next())
              System.out.println(rows.getInt(1) + "|" + rows.getString(2) + "|" + rows.getBigDecimal(3) + "|" + rows.getTimestamp(4));
          }
        }
      }
      Savepoint before = connection.setSavepoint();
      try (Statement statement = connection.createStatement()) {
        statement.execute("insert into jdbc_orders (id) values (1)");
      } catch (SQLException error) {
        System.out.println("refused " + error.getSQLState());
      }
      connection.rollback(before);
      connection.commit();
      try (ResultSet tables = connection.getMetaData().getColumns(null, null, "jdbc_orders", null)) {
        while (tables.next()) System.out.println(tables.getString("COLUMN_NAME"));
      }
    }
  }
}
