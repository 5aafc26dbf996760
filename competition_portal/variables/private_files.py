"""Where private files are: photos and attachments."""

from competition_portal.variables.parsers import boolean, bucket, endpoint, word
from competition_portal.variables.variable import Variable

VARIABLES = {
    "S3_ENDPOINT_URL": Variable(
        endpoint,
        default="",
        cure="写对象存储的地址，不带用户名和密码，例如 https://s3.example.cn；留空就把照片和附件放在 DATA_DIR 的 private 目录里。",
        meaning="对象存储的地址，不带用户名和密码；与下面三项一起设，或都不设；空的就把照片和附件放在 DATA_DIR 的 private 目录里",
        example="`https://s3.example.cn`",
    ),
    "S3_BUCKET": Variable(
        bucket,
        default="",
        cure="写对象存储里专给本系统用的桶的名称，3 到 63 个字母、数字、点和连字符。",
        meaning="专给本系统用的桶，3 到 63 个字母、数字、点和连字符",
        example="`competition-portal`",
    ),
    "S3_ACCESS_KEY": Variable(
        word,
        default="",
        cure="写只能使用这个桶的访问密钥编号（access key）。",
        meaning="访问密钥的编号，只能使用这个桶",
        example="（存储管理员给的）",
    ),
    "S3_SECRET_KEY": Variable(
        word,
        default="",
        cure="写与 S3_ACCESS_KEY 配对的密钥（secret key）。",
        meaning="访问密钥",
        example="（存储管理员给的）",
    ),
    "S3_REGION": Variable(
        word,
        default="us-east-1",
        cure="写对象存储的区域，例如 cn-north-1；没有区域的就不要设。",
        meaning="对象存储的区域；没有区域的不用设",
        example="`cn-north-1`",
    ),
    "PRIVATE_FOLDER_SHARED": Variable(
        boolean,
        default=False,
        cure="写 true 或 false；全部副本的 private 目录是同一个网络目录时才是 true。",
        meaning="各副本的 private 目录是不是同一个网络目录；只用来检查设置是否合适",
        example="`false`",
    ),
}
